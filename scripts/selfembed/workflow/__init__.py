"""Input, parameter and resource functions of the rules, by stage."""
