package parhelion.media.net.nat.dns;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.loop.Count;
import parhelion.media.net.nat.loop.Counts;
import parhelion.media.net.nat.loop.EventLoop;
import parhelion.media.net.nat.policy.Egress;
import parhelion.media.net.nat.tcp.FarSide;
import parhelion.media.net.nat.wire.IpAddress;

/**
 * Answers the guests' queries of DNS: some by itself ({@link OwnNames}), the others with what the
 * host's resolvers say. Names that are not allowed are refused, and the addresses of those that are
 * are allowed from then on ({@link Egress#learn}).
 */
public final class DnsForwarder {
  public static final int PORT = 53;
  private static final Path RESOLV_CONF = Path.of("/etc/resolv.conf");

  private final NatConfig config;
  private final EventLoop loop;
  private final Counts counts;
  private final Egress egress;
  private final OwnNames own;
  private final Resolvers resolvers;
  private final Set<DnsExchange> running = new HashSet<>();
  private final Set<DnsStream> streams = new HashSet<>();

  public DnsForwarder(NatConfig config, EventLoop loop, Counts counts, Egress egress) {
    this.config = config;
    this.loop = loop;
    this.counts = counts;
    this.egress = egress;
    this.own = new OwnNames(config);
    this.resolvers = new Resolvers(config.resolvers(), RESOLV_CONF, loop::now);
  }

  /** A query by UDP; what is no query gets no answer. */
  public void datagram(byte[] query, Consumer<byte[]> answer) {
    query(query, false, answer);
  }

  /** A connection to the forwarder; null if there are too many. */
  public @Nullable FarSide stream() {
    if (streams.size() >= config.limits().dnsStreams()) {
      return null;
    }
    DnsStream stream =
        new DnsStream(loop, (query, answer) -> query(query, true, answer), streams::remove);
    streams.add(stream);
    return stream;
  }

  private void query(byte[] query, boolean byStream, Consumer<byte[]> answer) {
    if (!DnsMessage.isQuery(query)) {
      counts.add(Count.DROP_MALFORMED);
      return;
    }
    counts.add(Count.DNS_QUERIES);
    DnsMessage.Question question = DnsMessage.question(query);
    if (!DnsMessage.isStandard(query)) {
      answer.accept(DnsMessage.answer(query, DnsMessage.NOT_IMPLEMENTED));
      return;
    }
    if (question == null) {
      answer.accept(DnsMessage.answer(query, DnsMessage.FORMAT_ERROR));
      return;
    }
    byte[] known = own.answer(query, question);
    if (known != null) {
      counts.add(Count.DNS_OWN);
      List<IpAddress> addresses = own.addresses(question.name());
      if (addresses != null) {
        addresses.forEach(address -> egress.learn(question.name(), address, OwnNames.TTL_SECONDS));
      }
      answer.accept(known);
    } else if (!egress.allowsName(question.name())) {
      counts.add(Count.DROP_POLICY);
      answer.accept(DnsMessage.answer(query, DnsMessage.REFUSED));
    } else if (running.size() >= config.limits().dnsQueries()) {
      counts.add(Count.DROP_LIMIT);
      answer.accept(DnsMessage.answer(query, DnsMessage.SERVER_FAILURE));
    } else {
      forward(query, question, byStream, answer);
    }
  }

  private void forward(
      byte[] query, DnsMessage.Question question, boolean byStream, Consumer<byte[]> answer) {
    DnsExchange[] exchange = new DnsExchange[1];
    exchange[0] =
        new DnsExchange(
            loop,
            query,
            question,
            byStream,
            resolvers.all(),
            config.timeouts().dns().toNanos(),
            found -> {
              running.remove(exchange[0]);
              if (found == null) {
                counts.add(Count.DNS_FAILED);
                answer.accept(DnsMessage.answer(query, DnsMessage.SERVER_FAILURE));
                return;
              }
              DnsMessage.Question echoed = DnsMessage.question(found);
              if (echoed != null) {
                DnsMessage.addresses(
                    found, echoed, (address, ttl) -> egress.learn(question.name(), address, ttl));
              }
              answer.accept(found);
            });
    running.add(exchange[0]);
    exchange[0].next();
  }

  /** Forgets all queries: the device is another. */
  public void reset() {
    running.forEach(DnsExchange::cancel);
    running.clear();
  }
}
