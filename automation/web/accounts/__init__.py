"""Who may sign in to the console, who is signed in, and whose addresses they asked to read."""
