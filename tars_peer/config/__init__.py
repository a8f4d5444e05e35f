"""Settings: read once, checked, and handed down as frozen values. No behaviour may enter here."""
