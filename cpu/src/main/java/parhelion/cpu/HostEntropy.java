package parhelion.cpu;

import java.security.SecureRandom;

/** The host's random numbers, opened when a guest first asks for one. */
final class HostEntropy {
  static final SecureRandom SOURCE = new SecureRandom();

  private HostEntropy() {}
}
