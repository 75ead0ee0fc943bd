"""Which numbers? Materials as vectors of attributes."""
