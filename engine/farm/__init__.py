"""A job in tasks for several machines: the verbs, and the job type of the farm's manager."""
