"""What did a run show? Tables, figures, findings and one page, from the files of a run alone."""
