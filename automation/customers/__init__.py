"""Who customers are: profile, consent, import and facts."""
