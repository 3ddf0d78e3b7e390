"""Answers from the spatial memory: questions about places and things are read (`asked`), what their words name is found
out (`view`), and each kind of answer has its module. `answers` is the door.
"""
