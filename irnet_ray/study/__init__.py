"""Which trials? Studies, their trials, and the run directories that hold what came of them; free of Ray."""
