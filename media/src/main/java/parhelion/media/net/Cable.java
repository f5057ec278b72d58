package parhelion.media.net;

/** Joins two networks: what either delivers, is sent into the other. No thread, no queue. */
public final class Cable implements AutoCloseable {
  private final NetworkPort a;
  private final NetworkPort b;

  private Cable(NetworkPort a, NetworkPort b) {
    this.a = a;
    this.b = b;
  }

  /** Plugs a cable into two sockets, which nothing else is plugged into. */
  public static Cable between(NetworkPort a, NetworkPort b) {
    a.connect(into(b));
    b.connect(into(a));
    return new Cable(a, b);
  }

  private static NetworkPort.Receiver into(NetworkPort far) {
    return new NetworkPort.Receiver() {
      @Override
      public boolean receive(Packet packet) {
        return far.send(packet);
      }

      /** A network takes whatever it is sent. */
      @Override
      public Offloads offloads() {
        return Offloads.ALL;
      }

      @Override
      public void roomToSend() {
        far.roomToReceive();
      }
    };
  }

  /** Unplugs both ends. */
  @Override
  public void close() {
    a.close();
    b.close();
  }
}
