"""What a journal tells, put in order: words, Markdown, HTML, JSON. For the command line and the screen alike."""
