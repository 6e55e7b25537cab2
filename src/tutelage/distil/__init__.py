"""Label noise on fixed features: self-distillation and partial labels, in closed form and exactly."""
