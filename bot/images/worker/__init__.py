"""All work on pixels: done in child processes that may take little and see nothing else."""
