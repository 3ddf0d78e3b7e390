"""What English says, of questions and of lines: words and their kinds, clauses, times, denials, what states what.

Pure functions over text, microseconds to 0.3 ms a line; knows no memory and no evidence.
"""
