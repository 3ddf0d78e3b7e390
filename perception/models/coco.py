"""The labels of the COCO dataset (Lin et al., 2014) by their ids. Knows no detector."""

from __future__ import annotations

# Ids run to 90 with ten of them unused; 0 is the background.
_NAMES = """
person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,,stop sign,parking meter,bench,
bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,,backpack,umbrella,,,handbag,tie,suitcase,frisbee,skis,
snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,,wine glass,cup,fork,
knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,,
dining table,,,toilet,,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,refrigerator,,book,clock,
vase,scissors,teddy bear,hair drier,toothbrush
"""
COCO_CLASSES = 91
COCO_LABELS = {index: label for index, label in enumerate(_NAMES.replace("\n", "").split(","), start=1) if label}
"""The 80 ids that have a label."""
