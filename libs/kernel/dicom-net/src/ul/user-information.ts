// The user information item (PS3.8 Annex D, PS3.7 §D.3.3), the same for request and acceptance but for the user identity.
import type {
  CommonExtendedNegotiation, ExtendedNegotiation, OperationsWindow, RoleSelection, UserIdentity,
} from './association-request.js';
import { FieldReader, item, ItemType, readItems, sized, text, trimmedText, u16, u32 } from './associate-items.js';

export interface UserInformation {
  maxPduBytes: number;
  implementationClassUid: string;
  implementationVersion: string;
  operationsWindow?: OperationsWindow;
  roles: RoleSelection[];
  extendedNegotiations: ExtendedNegotiation[];
  commonExtendedNegotiations: CommonExtendedNegotiation[];
  userIdentity?: UserIdentity;
  /** Server response of an acceptance. */
  userIdentityResponse?: Buffer;
}

/** What holds for a peer that announces no maximum length: every implementation can take this much. */
const MAX_PDU_WHEN_SILENT_BYTES = 16_384;

export function emptyUserInformation(): UserInformation {
  return {
    maxPduBytes: MAX_PDU_WHEN_SILENT_BYTES,
    implementationClassUid: '',
    implementationVersion: '',
    roles: [],
    extendedNegotiations: [],
    commonExtendedNegotiations: [],
  };
}

/** Sub-items we do not know are skipped, as PS3.8 §9.3.1 wants. */
export function decodeUserInformation(bytes: Buffer): UserInformation {
  const information = emptyUserInformation();
  for (const { type, value } of readItems(bytes)) decodeSubItem(information, type, new FieldReader(value), value);
  return information;
}

function decodeSubItem(into: UserInformation, type: number, fields: FieldReader, value: Buffer): void {
  switch (type) {
    case ItemType.maxLength:
      into.maxPduBytes = fields.u32();
      break;
    case ItemType.implementationClassUid:
      into.implementationClassUid = trimmedText(value);
      break;
    case ItemType.implementationVersion:
      into.implementationVersion = trimmedText(value);
      break;
    case ItemType.asynchronousOperationsWindow:
      into.operationsWindow = { maxInvoked: fields.u16(), maxPerformed: fields.u16() };
      break;
    case ItemType.roleSelection:
      into.roles.push({ sopClassUid: trimmedText(fields.sized()), scu: fields.u8() === 1, scp: fields.u8() === 1 });
      break;
    case ItemType.extendedNegotiation:
      into.extendedNegotiations.push({ sopClassUid: trimmedText(fields.sized()), information: Buffer.from(fields.take(fields.remaining)) });
      break;
    case ItemType.commonExtendedNegotiation:
      into.commonExtendedNegotiations.push(decodeCommonExtended(fields));
      break;
    case ItemType.userIdentityRq:
      into.userIdentity = {
        type: fields.u8(),
        positiveResponseRequested: fields.u8() === 1,
        primaryField: Buffer.from(fields.sized()),
        secondaryField: Buffer.from(fields.sized()),
      };
      break;
    case ItemType.userIdentityAc:
      into.userIdentityResponse = Buffer.from(fields.sized());
      break;
    default:
      break;
  }
}

function decodeCommonExtended(fields: FieldReader): CommonExtendedNegotiation {
  const sopClassUid = trimmedText(fields.sized());
  const serviceClassUid = trimmedText(fields.sized());
  const related = new FieldReader(fields.sized());
  const relatedGeneralSopClassUids: string[] = [];
  while (related.remaining > 0) relatedGeneralSopClassUids.push(trimmedText(related.sized()));
  return { sopClassUid, serviceClassUid, relatedGeneralSopClassUids };
}

export function encodeUserInformation(information: UserInformation): Buffer {
  const parts = [
    item(ItemType.maxLength, u32(information.maxPduBytes)),
    item(ItemType.implementationClassUid, text(information.implementationClassUid)),
  ];
  const { operationsWindow: window, userIdentity: identity } = information;
  if (window) parts.push(item(ItemType.asynchronousOperationsWindow, u16(window.maxInvoked), u16(window.maxPerformed)));
  for (const role of information.roles) {
    parts.push(item(ItemType.roleSelection, sized(text(role.sopClassUid)), Buffer.from([Number(role.scu), Number(role.scp)])));
  }
  if (information.implementationVersion) parts.push(item(ItemType.implementationVersion, text(information.implementationVersion)));
  for (const extended of information.extendedNegotiations) {
    parts.push(item(ItemType.extendedNegotiation, sized(text(extended.sopClassUid)), extended.information));
  }
  for (const common of information.commonExtendedNegotiations) {
    const related = common.relatedGeneralSopClassUids.map((uid) => sized(text(uid)));
    parts.push(item(
      ItemType.commonExtendedNegotiation, sized(text(common.sopClassUid)), sized(text(common.serviceClassUid)), sized(Buffer.concat(related)),
    ));
  }
  if (identity) {
    const head = Buffer.from([identity.type, Number(identity.positiveResponseRequested)]);
    parts.push(item(ItemType.userIdentityRq, head, sized(identity.primaryField), sized(identity.secondaryField)));
  }
  if (information.userIdentityResponse) parts.push(item(ItemType.userIdentityAc, sized(information.userIdentityResponse)));
  return item(ItemType.userInformation, ...parts);
}
