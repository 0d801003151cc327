"""What runs the course: its commands, its data, its record. Lessons import nothing from here."""
