"""What templates ask of attempts."""
