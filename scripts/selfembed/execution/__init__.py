"""What happens around the jobs of a plan: code inputs, storages, images, submitted jobs, failures, deletion."""
