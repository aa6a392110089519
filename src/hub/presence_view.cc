#include "hub/presence_view.h"

#include <algorithm>
#include <limits>
#include <new>

#include "base/assert.h"

namespace anywire::hub {

Member::Member(const MemberDraft& draft)
    : loop_(draft.loop),
      client_bytes_(static_cast<std::uint16_t>(draft.client_id.size())),
      user_bytes_(static_cast<std::uint16_t>(draft.user_id.size())),
      info_bytes_(static_cast<std::uint32_t>(draft.info.size())) {
  char* to = reinterpret_cast<char*>(this + 1);
  for (const std::string_view part : {draft.client_id, draft.user_id, draft.info}) {
    to = std::copy(part.begin(), part.end(), to);
  }
}

MemberPtr Member::make(const MemberDraft& draft) {
  if (draft.made && draft.made->loop() == draft.loop) return draft.made;
  AW_ASSERT(draft.client_id.size() <= std::numeric_limits<std::uint16_t>::max());
  AW_ASSERT(draft.user_id.size() <= std::numeric_limits<std::uint16_t>::max());
  AW_ASSERT(draft.info.size() <= std::numeric_limits<std::uint32_t>::max());
  void* room = ::operator new(sizeof(Member) + draft.client_id.size() + draft.user_id.size() +
                              draft.info.size());
  return MemberPtr(new (room) Member(draft));
}

void Member::destroy() const {
  Member* self = const_cast<Member*>(this);
  self->~Member();
  ::operator delete(self);
}

std::size_t PresenceDiff::bytes() const {
  std::size_t bytes = sizeof(PresenceDiff) + leaves.capacity() * sizeof(Leave) +
                      joins.capacity() * sizeof(Join) + updates.capacity() * sizeof(MemberPtr);
  for (const Leave& leave : leaves) bytes += leave.member->bytes();
  for (const Join& join : joins) bytes += join.member->bytes();
  for (const MemberPtr& member : updates) bytes += member->bytes();
  return bytes;
}

}  // namespace anywire::hub
