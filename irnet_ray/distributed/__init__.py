"""Where does it run? The only place that knows Ray."""
