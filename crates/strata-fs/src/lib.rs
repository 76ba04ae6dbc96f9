//! Files: atomic writes, locks, bounded archives, downloads that resume.
