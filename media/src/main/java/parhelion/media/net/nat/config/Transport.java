package parhelion.media.net.nat.config;

import java.util.Locale;

/** What a port belongs to. */
public enum Transport {
  TCP,
  UDP;

  /** As users write it, behind a slash. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
