"""The public JSON: every name of a member stands in here and nowhere else."""
