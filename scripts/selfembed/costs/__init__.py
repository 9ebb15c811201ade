"""What a study costs: jobs, work, hours and disk, estimated from its config."""
