"""Where a robot is put together: its body in a world, its memory, its planner; its tasks and how they are judged."""
