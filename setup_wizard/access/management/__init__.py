"""What an administrator can do from a shell."""
