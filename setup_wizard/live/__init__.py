"""The page of one attempt: its panel, its stages, the operator's choices, and the stream that keeps it up to date."""
