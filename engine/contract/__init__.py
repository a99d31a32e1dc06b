"""What host and engine both know: settings, jobs, events. Standard library only."""
