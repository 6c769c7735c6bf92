"""The images that hold Python alone, for remote functions and processing jobs with a command."""
