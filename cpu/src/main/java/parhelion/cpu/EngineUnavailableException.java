package parhelion.cpu;

/** This host cannot run the engine that was asked for; the message is the reason alone. */
public final class EngineUnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public EngineUnavailableException(String reason) {
    super(reason);
  }
}
