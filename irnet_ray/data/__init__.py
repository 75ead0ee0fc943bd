"""Which materials? Named tables of formulas and properties, curated and split."""
