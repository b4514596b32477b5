"""What happens to each kind of object: the rules that Stripe publishes, one file per subject."""
