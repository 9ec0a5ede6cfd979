"""The language of crmsh's `configure` -> a CIB. Pure. The other direction is `reconciler.cib.crm`."""

from reconciler.crm.configuration import read

__all__ = ["read"]
