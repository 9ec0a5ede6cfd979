"""A cluster's configuration -> manifests that a person would have liked to write. Pure."""
