"""Values → words, marks and cells. Pure: no widget, no clock, no colour that is not also a word."""
