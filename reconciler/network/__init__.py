"""The node's network: what `ip -json` says, what the cluster owns, ordered steps. Pure."""
