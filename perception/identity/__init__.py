"""Who is who over hours: gives what the tracker follows the identity under which it was seen before.

    looks.py    what a thing looks like: the colours of four stripes
    gallery.py  what everyone looked like, in a bounded visual memory: how likely a look is each of them, or a stranger
    paths.py    several hypotheses of who is who, scored and pruned, for as long as looks leave it open
    keeper.py   `IdentityKeeper`: from the tracker's tracks, frame by frame, to identities

`perception.tracking` follows a thing from frame to frame by place and motion and forgets it seconds after it was last
seen; this recognises it by looks. Neither can do the other's part.
"""
