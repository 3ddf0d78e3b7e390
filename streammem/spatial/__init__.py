"""Spatial memory: a map of what is occupied, free and unknown, from depth images with poses."""

from streammem.spatial.camera import Intrinsics
from streammem.spatial.octree import Octree, OctreeSettings, ScanResult

__all__ = ["Intrinsics", "Octree", "OctreeSettings", "ScanResult"]
