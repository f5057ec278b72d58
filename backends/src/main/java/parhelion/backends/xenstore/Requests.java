package parhelion.backends.xenstore;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Domid;
import parhelion.abi.XenstoreWire;

/**
 * Answers requests of the wire protocol: takes payloads apart, checks who asks, and calls {@link
 * StoreOps}. One method per row of {@link XsOp}. Guarded by the daemon's lock.
 */
final class Requests {
  private static final byte[] OK = Args.bytes("OK\0");

  private final StoreOps ops;
  private final StoreTree store;
  private final Watches watches;
  private final Domains domains;
  private final Introducer introducer;
  private @Nullable Watch fresh;

  /** How a domain that the wire introduces gets its connection. */
  interface Introducer {
    void introduce(int domid, long gfn, int port);

    void release(int domid);
  }

  Requests(StoreOps ops, StoreTree store, Watches watches, Domains domains, Introducer introducer) {
    this.ops = ops;
    this.store = store;
    this.watches = watches;
    this.domains = domains;
    this.introducer = introducer;
  }

  /** Carries a request out and queues its reply, and then a new watch's first event. */
  void process(XenstoreRing client, XsMessage request) {
    XsOp op = XsOp.byNumber(request.type());
    try {
      byte[] payload = answer(op, client, request);
      if (payload.length > XenstoreWire.PAYLOAD_MAX) {
        throw new XsException(XsErrno.E2BIG, "reply");
      }
      client.reply(request.type(), request, payload);
    } catch (XsException refused) {
      client.reply(XsOp.ERROR.nr(), request, Args.bytes(refused.errno().name() + '\0'));
    }
    Watch watch = fresh;
    fresh = null;
    if (watch != null) {
      watch.tell(watch.path());
    }
  }

  private byte[] answer(@Nullable XsOp op, Connection client, XsMessage request) {
    if (op == null || op.who() == XsOp.Who.NOBODY) {
      throw new XsException(XsErrno.ENOSYS, "request " + request.type());
    }
    if (op.who() == XsOp.Who.DOM0 && !client.privileged()) {
      throw new XsException(XsErrno.EACCES, op.name());
    }
    StoreTransaction tx =
        op.who() == XsOp.Who.ANYONE_NO_TX ? null : client.transaction(request.txId());
    return op.handler().handle(this, client, tx, new Args(request.payload()));
  }

  private static String path(Connection client, String path, boolean special) {
    int limit =
        client.privileged()
            ? XenstoreWire.ABS_PATH_MAX
            : client.domain().limits().get(Quota.PATH_MAX);
    if (limit == 0) {
      limit = XenstoreWire.ABS_PATH_MAX;
    }
    return StorePath.canonical(path, client.base(), special, limit);
  }

  byte[] unknown(Connection client, @Nullable StoreTransaction tx, Args args) {
    throw new XsException(XsErrno.ENOSYS, "request");
  }

  // Nodes

  byte[] read(Connection client, @Nullable StoreTransaction tx, Args args) {
    return ops.read(client, tx, path(client, args.only(), false)).value();
  }

  byte[] write(Connection client, @Nullable StoreTransaction tx, Args args) {
    ops.write(client, tx, path(client, args.first(), false), args.afterFirst());
    return OK;
  }

  byte[] mkdir(Connection client, @Nullable StoreTransaction tx, Args args) {
    ops.mkdir(client, tx, path(client, args.only(), false));
    return OK;
  }

  byte[] rm(Connection client, @Nullable StoreTransaction tx, Args args) {
    ops.rm(client, tx, path(client, args.only(), false));
    return OK;
  }

  byte[] directory(Connection client, @Nullable StoreTransaction tx, Args args) {
    return Args.join(ops.read(client, tx, path(client, args.only(), false)).listing());
  }

  byte[] directoryPart(Connection client, @Nullable StoreTransaction tx, Args args) {
    List<String> strings = exactly(args, 2);
    StoreNode node = ops.read(client, tx, path(client, strings.get(0), false));
    byte[] names = Args.join(node.listing());
    byte[] generation = Args.bytes(node.generation() + "\0");
    ByteArrayOutputStream reply = new ByteArrayOutputStream();
    reply.writeBytes(generation);
    int offset = Args.decimal(strings.get(1));
    if (offset < 0 || offset >= names.length) {
      reply.write(0);
      return reply.toByteArray();
    }
    int room = XenstoreWire.PAYLOAD_MAX - generation.length - 1;
    int end = offset;
    for (int next = end; next < names.length && next - offset < room; next++) {
      if (names[next] == 0) {
        end = next + 1;
      }
    }
    reply.write(names, offset, end - offset);
    if (end == names.length) {
      reply.write(0);
    }
    return reply.toByteArray();
  }

  byte[] getPerms(Connection client, @Nullable StoreTransaction tx, Args args) {
    Perms perms = ops.perms(client, tx, path(client, args.only(), true));
    return Args.join(perms.entries().stream().map(Perm::toString).toList());
  }

  byte[] setPerms(Connection client, @Nullable StoreTransaction tx, Args args) {
    List<String> strings = args.strings();
    if (strings.size() < 2) {
      throw new XsException(XsErrno.EINVAL, "SET_PERMS");
    }
    if (client.over(Quota.NODE_PERMISSIONS, strings.size() - 1L)) {
      throw new XsException(XsErrno.ENOSPC, "permissions of " + strings.get(0));
    }
    Perms perms = new Perms(strings.stream().skip(1).map(Perm::parse).toList());
    ops.setPerms(client, tx, path(client, strings.get(0), true), perms);
    return OK;
  }

  // Watches

  byte[] watch(Connection client, @Nullable StoreTransaction tx, Args args) {
    List<String> strings = args.strings();
    int depth = -1;
    if (strings.size() == 3 && client.domain().offers(XenstoreWire.SERVER_FEATURE_WATCHDEPTH)) {
      depth = Args.decimal(strings.get(2));
      if (depth < 0) {
        throw new XsException(XsErrno.EINVAL, "watch depth");
      }
    } else if (strings.size() != 2) {
      throw new XsException(XsErrno.EINVAL, "WATCH");
    }
    String path = path(client, strings.get(0), true);
    if (client.over(Quota.WATCHES, client.watches().size() + 1L)) {
      throw new XsException(XsErrno.ENOSPC, "watches of domain " + client.domid());
    }
    if (client.over(
        Quota.MEMORY,
        store.usage(client.domid()).bytes() + client.heldBytes() + XenstoreWire.PAYLOAD_MAX)) {
      throw new XsException(XsErrno.ENOMEM, "memory of domain " + client.domid());
    }
    boolean relative = StorePath.isRelative(strings.get(0));
    fresh = watches.add(client, path, strings.get(1), depth, relative);
    return OK;
  }

  byte[] unwatch(Connection client, @Nullable StoreTransaction tx, Args args) {
    List<String> strings = exactly(args, 2);
    watches.remove(client, path(client, strings.get(0), true), strings.get(1));
    return OK;
  }

  byte[] resetWatches(Connection client, @Nullable StoreTransaction tx, Args args) {
    domains.closeEverything(client);
    return OK;
  }

  // Transactions

  byte[] transactionStart(Connection client, @Nullable StoreTransaction tx, Args args) {
    if (tx != null) {
      throw new XsException(XsErrno.EBUSY, "nested transaction");
    }
    return Args.bytes(Integer.toUnsignedString(ops.begin(client).id()) + '\0');
  }

  byte[] transactionEnd(Connection client, @Nullable StoreTransaction tx, Args args) {
    String verdict = args.only();
    if (!verdict.equals("T") && !verdict.equals("F")) {
      throw new XsException(XsErrno.EINVAL, "TRANSACTION_END");
    }
    if (tx == null) {
      throw new XsException(XsErrno.ENOENT, "transaction 0");
    }
    ops.end(client, tx, verdict.equals("T"));
    return OK;
  }

  // Domains

  byte[] introduce(Connection client, @Nullable StoreTransaction tx, Args args) {
    List<String> strings = atLeast(args, 3);
    int domid = Args.domid(strings.get(0));
    int gfn = Args.decimal(strings.get(1));
    int port = Args.decimal(strings.get(2));
    if (domid == Connection.PRIVILEGED_DOMID || gfn < 0 || port <= 0) {
      throw new XsException(XsErrno.EINVAL, "INTRODUCE");
    }
    introducer.introduce(domid, gfn, port);
    return OK;
  }

  byte[] release(Connection client, @Nullable StoreTransaction tx, Args args) {
    introducer.release(guest(args).domid());
    return OK;
  }

  byte[] resume(Connection client, @Nullable StoreTransaction tx, Args args) {
    guest(args).setShutdown(false);
    return OK;
  }

  private StoreDomain guest(Args args) {
    int domid = Args.domid(args.only());
    if (domid == Connection.PRIVILEGED_DOMID) {
      throw new XsException(XsErrno.EINVAL, "domain 0");
    }
    return domains.introduced(domid);
  }

  byte[] getDomainPath(Connection client, @Nullable StoreTransaction tx, Args args) {
    return Args.bytes(StorePath.ofDomain(Args.domid(args.only())) + '\0');
  }

  byte[] isDomainIntroduced(Connection client, @Nullable StoreTransaction tx, Args args) {
    int domid = Args.domid(args.only());
    StoreDomain domain = domains.find(domid);
    boolean introduced =
        domid == Domid.SELF
            || domid == Connection.PRIVILEGED_DOMID
            || (domain != null && domain.ring() != null);
    return Args.bytes(introduced ? "T\0" : "F\0");
  }

  byte[] setTarget(Connection client, @Nullable StoreTransaction tx, Args args) {
    List<String> strings = atLeast(args, 2);
    XenstoreRing ring = domains.introduced(Args.domid(strings.get(0))).ring();
    int target = domains.introduced(Args.domid(strings.get(1))).domid();
    if (ring != null) {
      ring.setTargetDomid(target);
    }
    return OK;
  }

  // Features, quotas, control

  byte[] getFeature(Connection client, @Nullable StoreTransaction tx, Args args) {
    List<String> strings = args.strings();
    if (strings.isEmpty()) {
      return Args.bytes(client.domain().features() + "\0");
    }
    if (!client.privileged()) {
      throw new XsException(XsErrno.EACCES, "GET_FEATURE");
    }
    int domid = Args.domid(exactly(args, 1).get(0));
    return Args.bytes(domains.existing(domid).features() + "\0");
  }

  byte[] setFeature(Connection client, @Nullable StoreTransaction tx, Args args) {
    List<String> strings = exactly(args, 2);
    StoreDomain domain = domains.existing(Args.domid(strings.get(0)));
    int features = Args.decimal(strings.get(1));
    if (domain.ring() != null) {
      throw new XsException(XsErrno.EBUSY, "domain " + domain.domid() + " is introduced");
    }
    if (features < 0 || (features & ~StoreDomain.ALL_FEATURES) != 0) {
      throw new XsException(XsErrno.EINVAL, "features");
    }
    domain.setFeatures(features);
    return OK;
  }

  byte[] getQuota(Connection client, @Nullable StoreTransaction tx, Args args) {
    List<String> strings = args.strings();
    if (strings.isEmpty()) {
      List<String> names = new ArrayList<>();
      for (Quota quota : Quota.values()) {
        names.add(quota.wireName());
      }
      return Args.bytes(String.join(" ", names) + '\0');
    }
    if (strings.size() > 2) {
      throw new XsException(XsErrno.EINVAL, "GET_QUOTA");
    }
    Quota quota = quota(strings.getLast());
    return Args.bytes(limits(strings, 2).get(quota) + "\0");
  }

  byte[] setQuota(Connection client, @Nullable StoreTransaction tx, Args args) {
    List<String> strings = atLeast(args, 2);
    if (strings.size() > 3) {
      throw new XsException(XsErrno.EINVAL, "SET_QUOTA");
    }
    Quota quota = quota(strings.get(strings.size() - 2));
    int limit = Args.decimal(strings.getLast());
    if (limit < 0) {
      throw new XsException(XsErrno.EINVAL, "quota value");
    }
    limits(strings, 3).set(quota, limit);
    return OK;
  }

  private static Quota quota(String name) {
    Quota quota = Quota.byName(name);
    if (quota == null) {
      throw new XsException(XsErrno.EINVAL, "quota \"" + name + "\"");
    }
    return quota;
  }

  /** The limits of the domain that the full form of {@code strings} names, or the defaults. */
  private Quota.Limits limits(List<String> strings, int fullForm) {
    return strings.size() == fullForm
        ? domains.existing(Args.domid(strings.get(0))).limits()
        : domains.defaults();
  }

  byte[] control(Connection client, @Nullable StoreTransaction tx, Args args) {
    switch (args.first()) {
      case "check" -> store.audit();
      case "help" -> {
        return Args.bytes("check\nhelp\n\0");
      }
      default -> throw new XsException(XsErrno.EINVAL, "CONTROL");
    }
    return OK;
  }

  private static List<String> exactly(Args args, int count) {
    List<String> strings = args.strings();
    if (strings.size() != count) {
      throw new XsException(XsErrno.EINVAL, "malformed request");
    }
    return strings;
  }

  private static List<String> atLeast(Args args, int count) {
    List<String> strings = args.strings();
    if (strings.size() < count) {
      throw new XsException(XsErrno.EINVAL, "malformed request");
    }
    return strings;
  }
}
