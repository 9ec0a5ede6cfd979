"""What can be managed: one pure file per kind, and the table of them."""
