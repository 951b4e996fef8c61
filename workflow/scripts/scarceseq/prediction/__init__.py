"""What perturbing the genes that a screen did not measure would do."""
