"""What the facts mean: pure functions from `cli.doctor.facts` to `cli.doctor.finding`."""
