"""What a person may write in a field, where that is less than its type says: a name for it, for editors. Pure."""

from typing import Annotated, Any

from pydantic import GetJsonSchemaHandler, ValidationError, ValidationInfo, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import CoreSchema

from reconciler.frozen import frozen

KEYWORD = "x-written"
"""In the schema of a field: the name in `forms` of what a person may write there."""


@frozen
class Written:
    """Says of a type what of it a person may write."""

    name: str

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Put the name beside the type."""
        return {**handler(core), KEYWORD: self.name}


Name = Annotated[str, Written("Name")]
"""What an object or a node is called, by which another refers to it."""


def _as_observed(given: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    try:
        return handler(given)
    except ValidationError:
        if info.context and info.context.get("observed") and isinstance(given, str):
            return given
        raise


CLOSED = WrapValidator(_as_observed)
"""For a closed set of words: any other passes where it was observed, as Pacemaker then does something too.

A CIB that no schema is checked against (`validate-with="none"`) may say anything.
"""
