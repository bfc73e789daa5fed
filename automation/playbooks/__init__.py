"""What a marketer writes: playbooks, who enters and who leaves them, and which step is due."""
