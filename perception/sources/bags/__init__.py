"""Robot recordings: rosbag1, rosbag2 (SQLite, MCAP) and MCAP, read without ROS (`pip install "streammem[robot]"`).

    with open_source("run.mcap", settings=SourceSettings()) as source: ...

Reads pictures, depth, camera info, poses (tf, odometry), sound and words; `source.py` says how they become one stream.
"""

from perception.sources.bags.files import is_bag

__all__ = ["is_bag"]
