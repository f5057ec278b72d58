package parhelion.backends.xenstore;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The roster of requests: {@code enum xsd_sockmsg_type} of {@code public/io/xs_wire.h}, who may
 * send each and what answers it.
 */
enum XsOp {
  CONTROL(0, Who.DOM0, Requests::control),
  DIRECTORY(1, Who.ANYONE, Requests::directory),
  READ(2, Who.ANYONE, Requests::read),
  GET_PERMS(3, Who.ANYONE, Requests::getPerms),
  WATCH(4, Who.ANYONE_NO_TX, Requests::watch),
  UNWATCH(5, Who.ANYONE_NO_TX, Requests::unwatch),
  TRANSACTION_START(6, Who.ANYONE, Requests::transactionStart),
  TRANSACTION_END(7, Who.ANYONE, Requests::transactionEnd),
  INTRODUCE(8, Who.DOM0, Requests::introduce),
  RELEASE(9, Who.DOM0, Requests::release),
  GET_DOMAIN_PATH(10, Who.ANYONE, Requests::getDomainPath),
  WRITE(11, Who.ANYONE, Requests::write),
  MKDIR(12, Who.ANYONE, Requests::mkdir),
  RM(13, Who.ANYONE, Requests::rm),
  SET_PERMS(14, Who.ANYONE, Requests::setPerms),
  /** Only ever sent to clients. */
  WATCH_EVENT(15, Who.NOBODY, Requests::unknown),
  /** Only ever sent to clients. */
  ERROR(16, Who.NOBODY, Requests::unknown),
  IS_DOMAIN_INTRODUCED(17, Who.DOM0, Requests::isDomainIntroduced),
  RESUME(18, Who.DOM0, Requests::resume),
  SET_TARGET(19, Who.DOM0, Requests::setTarget),
  RESET_WATCHES(21, Who.ANYONE, Requests::resetWatches),
  DIRECTORY_PART(22, Who.ANYONE, Requests::directoryPart),
  GET_FEATURE(23, Who.ANYONE, Requests::getFeature),
  SET_FEATURE(24, Who.DOM0, Requests::setFeature),
  GET_QUOTA(25, Who.DOM0, Requests::getQuota),
  SET_QUOTA(26, Who.DOM0, Requests::setQuota);

  /** Who may send a request, and whether its transaction id is looked at. */
  enum Who {
    ANYONE,
    ANYONE_NO_TX,
    DOM0,
    NOBODY
  }

  /** Answers a request with a reply payload, or throws {@link XsException}. */
  interface Handler {
    byte[] handle(Requests requests, Connection client, @Nullable StoreTransaction tx, Args args);
  }

  private static final Map<Integer, XsOp> BY_NUMBER = new HashMap<>();

  static {
    for (XsOp op : values()) {
      BY_NUMBER.put(op.nr, op);
    }
  }

  private final int nr;
  private final Who who;
  private final Handler handler;

  XsOp(int nr, Who who, Handler handler) {
    this.nr = nr;
    this.who = who;
    this.handler = handler;
  }

  int nr() {
    return nr;
  }

  Who who() {
    return who;
  }

  Handler handler() {
    return handler;
  }

  /** The request of that number, or null. */
  static @Nullable XsOp byNumber(int nr) {
    return BY_NUMBER.get(nr);
  }
}
