"""What is printed for the metal, the rack and the hand. It only draws what it is given, and knows no database."""
