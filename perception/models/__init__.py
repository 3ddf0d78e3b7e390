"""Models behind the Protocols of `perception.protocols`. Start at `registry`; weights are found by `weights`."""
