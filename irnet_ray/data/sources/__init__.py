"""Where tables of materials come from: one module for each kind of place."""
