package parhelion.pc.net;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.NetworkPort;
import parhelion.media.net.Packet;

/** A network that keeps what is sent, and that the test sends from. */
public final class FakeNetwork implements NetworkPort {
  public final List<Packet> sent = new ArrayList<>();
  public int room = Integer.MAX_VALUE;
  public int toldOfRoom;
  private @Nullable Receiver receiver;

  @Override
  public void connect(Receiver connected) {
    receiver = connected;
  }

  public Receiver receiver() {
    return Objects.requireNonNull(receiver);
  }

  @Override
  public boolean send(Packet packet) {
    if (room == 0) {
      return false;
    }
    room--;
    sent.add(packet);
    return true;
  }

  @Override
  public void roomToReceive() {
    toldOfRoom++;
  }

  @Override
  public void close() {}
}
