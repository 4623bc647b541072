"""The demo: the main job, with every process running, in a minute."""
