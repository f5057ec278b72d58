package parhelion.backends.xenstore;

import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.abi.XsType;

/**
 * The roster of requests: {@code enum xsd_sockmsg_type} of {@code public/io/xs_wire.h}, who may
 * send each and what answers it.
 */
enum XsOp {
  CONTROL(XsType.CONTROL, Who.DOM0, Requests::control),
  DIRECTORY(XsType.DIRECTORY, Who.ANYONE, Requests::directory),
  READ(XsType.READ, Who.ANYONE, Requests::read),
  GET_PERMS(XsType.GET_PERMS, Who.ANYONE, Requests::getPerms),
  WATCH(XsType.WATCH, Who.ANYONE_NO_TX, Requests::watch),
  UNWATCH(XsType.UNWATCH, Who.ANYONE_NO_TX, Requests::unwatch),
  TRANSACTION_START(XsType.TRANSACTION_START, Who.ANYONE, Requests::transactionStart),
  TRANSACTION_END(XsType.TRANSACTION_END, Who.ANYONE, Requests::transactionEnd),
  INTRODUCE(XsType.INTRODUCE, Who.DOM0, Requests::introduce),
  RELEASE(XsType.RELEASE, Who.DOM0, Requests::release),
  GET_DOMAIN_PATH(XsType.GET_DOMAIN_PATH, Who.ANYONE, Requests::getDomainPath),
  WRITE(XsType.WRITE, Who.ANYONE, Requests::write),
  MKDIR(XsType.MKDIR, Who.ANYONE, Requests::mkdir),
  RM(XsType.RM, Who.ANYONE, Requests::rm),
  SET_PERMS(XsType.SET_PERMS, Who.ANYONE, Requests::setPerms),
  /** Only ever sent to clients. */
  WATCH_EVENT(XsType.WATCH_EVENT, Who.NOBODY, Requests::unknown),
  /** Only ever sent to clients. */
  ERROR(XsType.ERROR, Who.NOBODY, Requests::unknown),
  IS_DOMAIN_INTRODUCED(XsType.IS_DOMAIN_INTRODUCED, Who.DOM0, Requests::isDomainIntroduced),
  RESUME(XsType.RESUME, Who.DOM0, Requests::resume),
  SET_TARGET(XsType.SET_TARGET, Who.DOM0, Requests::setTarget),
  RESET_WATCHES(XsType.RESET_WATCHES, Who.ANYONE, Requests::resetWatches),
  DIRECTORY_PART(XsType.DIRECTORY_PART, Who.ANYONE, Requests::directoryPart),
  GET_FEATURE(XsType.GET_FEATURE, Who.ANYONE, Requests::getFeature),
  SET_FEATURE(XsType.SET_FEATURE, Who.DOM0, Requests::setFeature),
  GET_QUOTA(XsType.GET_QUOTA, Who.DOM0, Requests::getQuota),
  SET_QUOTA(XsType.SET_QUOTA, Who.DOM0, Requests::setQuota);

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

  private static final Map<XsType, XsOp> BY_TYPE = new EnumMap<>(XsType.class);

  static {
    for (XsOp op : values()) {
      BY_TYPE.put(op.type, op);
    }
  }

  private final XsType type;
  private final Who who;
  private final Handler handler;

  XsOp(XsType type, Who who, Handler handler) {
    this.type = type;
    this.who = who;
    this.handler = handler;
  }

  int nr() {
    return type.nr();
  }

  Who who() {
    return who;
  }

  Handler handler() {
    return handler;
  }

  /** The request of that number, or null. */
  static @Nullable XsOp byNumber(int nr) {
    XsType type = XsType.of(nr);
    return type == null ? null : BY_TYPE.get(type);
  }
}
