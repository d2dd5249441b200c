"""What the integration uses: α and contribution by site, over training and by class of word; streams left out."""
