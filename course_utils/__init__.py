"""Helpers of the course: what the lessons teach with, small enough to read in one sitting.

Data flow one way: dataset -> loader -> `train` -> history -> plot. What runs the course (runner,
record, downloads) is in `course_utils.course`, the exercises' checks in `course_utils.checks`.
"""
