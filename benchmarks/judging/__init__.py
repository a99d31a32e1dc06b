"""Judges that no job was guided by: networks that learned from photographs alone.

`judge.judge_frames` scores finished frames, whoever made them.
"""
